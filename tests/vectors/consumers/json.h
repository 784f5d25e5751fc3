/* A small reader of JSON: objects, lists, numbers and strings, enough for the vectors. */
#ifndef JSON_H
#define JSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Json {
    char type; /* '{' '[' '"' '0' for a number, 't' 'f' 'n' */
    char *key, *text;
    double number;
    size_t count;
    struct Json *first, *last, *next; /* members of an object or list */
} Json;

static const char *json_at;

static void json_fail(const char *why) {
    fprintf(stderr, "not JSON: %s at %.20s\n", why, json_at);
    exit(2);
}

static char json_peek(void) {
    json_at += strspn(json_at, " \t\r\n");
    return *json_at;
}

static char *json_string(void) {
    if (json_peek() != '"') json_fail("a string is missing");
    const char *begin = ++json_at;
    while (*json_at && *json_at != '"') json_at += *json_at == '\\' && json_at[1] ? 2 : 1;
    if (!*json_at) json_fail("a string does not end");
    size_t length = (size_t)(json_at++ - begin);
    char *made = calloc(length + 1, 1); /* escapes stay as they are: no name that is looked up has one */
    memcpy(made, begin, length);
    return made;
}

static Json *json_value(void) {
    Json *made = calloc(1, sizeof *made);
    char c = made->type = json_peek();
    if (c == '{' || c == '[') {
        char end = c == '{' ? '}' : ']';
        for (json_at++; json_peek() != end;) {
            char *key = c == '{' ? json_string() : NULL;
            if (key && (json_peek() != ':' || !json_at++)) json_fail("a colon is missing");
            Json *member = json_value();
            member->key = key;
            if (made->last) made->last->next = member;
            else made->first = member;
            made->last = member;
            made->count++;
            if (json_peek() == ',') json_at++;
            else if (json_peek() != end) json_fail("a comma is missing");
        }
        json_at++;
    } else if (c == '"') {
        made->text = json_string();
    } else if (strchr("tfn", c) && c) {
        json_at += strspn(json_at, "abcdefghijklmnopqrstuvwxyz");
    } else {
        char *end;
        made->type = '0';
        made->number = strtod(json_at, &end);
        if (end == json_at) json_fail("a value is missing");
        json_at = end;
    }
    return made;
}

static Json *json_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room + 1);
    for (size_t n; (n = fread(text + size, 1, room - size, file)) > 0;)
        if ((size += n) == room) text = realloc(text, (room *= 2) + 1);
    fclose(file);
    text[size] = 0;
    json_at = text;
    return json_value();
}

static Json *json_get(const Json *object, const char *key) {
    for (Json *member = object->first; member; member = member->next)
        if (member->key && !strcmp(member->key, key)) return member;
    fprintf(stderr, "there is no \"%s\"\n", key);
    exit(2);
}

static Json *json_nth(const Json *list, size_t index) {
    Json *member = list->first;
    while (index--) member = member->next;
    return member;
}

#endif

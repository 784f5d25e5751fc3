/* Adam by hand, run on the vectors: adam VECTORS GROUP DTYPE [inside] > results.json */
#include <math.h>

#include "json.h"

#define MOST 64 /* coordinates */

typedef struct {
    double theta[MOST], m[MOST], v[MOST];
    size_t count;
} State;

static int single, inside;

/* Every operation is rounded to the type of the parameters. */
static double r(double x) { return single ? (double)(float)x : x; }

static double constant(const Json *group, const char *name) {
    return strtod(json_get(json_get(json_get(group, "hyperparameters"), name), "float64")->text, NULL);
}

static void step(State *s, const Json *g, long t, double lr, const Json *group) {
    double beta1 = constant(group, "beta1"), beta2 = constant(group, "beta2"), eps = constant(group, "eps");
    double one = r(1 - pow(beta1, (double)t)), two = r(1 - pow(beta2, (double)t));
    for (size_t i = 0; i < s->count; i++) {
        double x = strtod(json_nth(g, i)->text, NULL);
        s->m[i] = r(r(beta1 * s->m[i]) + r((1 - beta1) * x));
        s->v[i] = r(r(beta2 * s->v[i]) + r((1 - beta2) * r(x * x)));
        double hat = r(s->v[i] / two);
        double root = inside ? r(sqrt(r(hat + eps))) : r(r(sqrt(hat)) + eps);
        s->theta[i] = r(s->theta[i] - r(r(lr * r(s->m[i] / one)) / root));
    }
}

static void print_rows(const char *name, const double *rows, size_t told, size_t count) {
    printf("\"%s\":[", name);
    for (size_t k = 0; k < told; k++) {
        printf(k ? ",[" : "[");
        for (size_t i = 0; i < count; i++) printf(i ? ",\"%a\"" : "\"%a\"", rows[k * count + i]);
        printf("]");
    }
    printf("]");
}

static const Json *input_of(const Json *file, const char *name) {
    for (const Json *i = json_get(file, "inputs")->first; i; i = i->next)
        if (!strcmp(json_get(i, "id")->text, name)) return i;
    exit(2);
}

static void start(double *into, const Json *hexes) {
    for (const Json *x = hexes->first; x; x = x->next) *into++ = strtod(x->text, NULL);
}

static void run(const Json *file, const Json *group, const Json *test, const char *dtype) {
    const Json *input = input_of(file, json_get(test, "input")->text);
    const Json *gradients = json_get(json_get(input, "gradients"), "hex");
    const Json *factors = json_get(input, "lr_factors"), *after = json_get(input, "after")->first;
    int fits = 0;
    for (const Json *d = json_get(input, "dtypes")->first; d; d = d->next) fits |= !strcmp(d->text, dtype);
    printf("{\"test\":\"%s\",", json_get(test, "id")->text);
    if (!fits) {
        printf("\"skipped\":\"not for %s\"}", dtype);
        return;
    }
    State s = {.count = json_get(json_get(input, "theta"), "hex")->first->count};
    start(s.theta, json_get(json_get(input, "theta"), "hex")->first);
    start(s.m, json_get(json_get(json_get(test, "initial"), "m"), "float64"));
    start(s.v, json_get(json_get(json_get(test, "initial"), "v"), "float64"));
    long first = (long)json_get(test, "t")->number, updates = (long)json_get(input, "updates")->number;
    size_t told = 0, row = s.count * sizeof(double), rows = json_get(input, "after")->count;
    double *theta = malloc(rows * row), *m = malloc(rows * row), *v = malloc(rows * row);
    for (long k = 1; k <= updates; k++) {
        double factor = json_nth(factors, (size_t)(k - 1) % factors->count)->number;
        step(&s, json_nth(gradients, (size_t)(k - 1) % gradients->count), first + k,
             constant(group, "lr") * factor, group);
        if (!after || after->number != (double)k) continue;
        memcpy(theta + told * s.count, s.theta, row);
        memcpy(m + told * s.count, s.m, row);
        memcpy(v + told++ * s.count, s.v, row);
        after = after->next;
    }
    printf("\"values\":{");
    print_rows("theta", theta, told, s.count), printf(",");
    print_rows("m", m, told, s.count), printf(",");
    print_rows("v", v, told, s.count), printf("}}");
    free(theta), free(m), free(v);
}

int main(int argc, char **argv) {
    if (argc < 4) return fprintf(stderr, "adam VECTORS GROUP DTYPE [inside]\n"), 2;
    const Json *file = json_read(argv[1]), *group = json_get(file, "groups")->first;
    single = !strcmp(argv[3], "float32"), inside = argc > 4 && !strcmp(argv[4], "inside");
    while (group && strcmp(json_get(group, "id")->text, argv[2])) group = group->next;
    if (!group) return fprintf(stderr, "there is no group %s\n", argv[2]), 2;
    printf("{\"format\":\"optverify results\",\"version\":1,\"program\":\"adam.c\",\"dtype\":\"%s\",\"results\":[",
           argv[3]);
    for (const Json *test = json_get(group, "tests")->first; test; test = test->next) {
        run(file, group, test, argv[3]);
        printf(test->next ? ",\n" : "]}\n");
    }
    return 0;
}

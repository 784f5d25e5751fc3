"""Stochastic gradient descent with momentum as another language would have it: JSON lines, no optverify.

An argument says what goes wrong: "hang", "die", "chatter", "shape", "old", "error".
"""

import json
import math
import sys
import time


def number(x):
    return float(x)


def shown(x):
    return x if math.isfinite(x) else str(x)


def main(fault=""):
    lr, mu, params, buffers = 0.5, 0.9, [], []
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "start":
            params = asked["params"]
            buffers = [[0.0] * len(p["data"]) for p in params]
            if fault == "slow start":
                time.sleep(60)
            answer = {"version": 0 if fault == "old" else 1, "hyperparameters": {"lr": lr, "momentum": mu}}
        elif asked["do"] == "lr":
            answer = {"unsupported": "a fixed rate"} if fault == "fixed" else {}
            lr = asked["lr"]
        else:
            if fault == "hang":
                time.sleep(60)
            if fault == "die":
                sys.exit("segmentation fault, more or less")
            for p, b, g in zip(params, buffers, asked["grads"], strict=True):
                if g is not None:
                    for k, x in enumerate(g["data"]):
                        b[k] = mu * b[k] + lr * number(x)
                        p["data"][k] = shown(number(p["data"][k]) - b[k])
            if fault == "shape":
                params[0]["shape"] = [1, len(params[0]["data"])]
            like = [{**p, "data": b} for p, b in zip(params, buffers, strict=True)]
            answer = {"params": params, "state": {"v": like}}
        if fault == "error" and asked["do"] == "update":
            answer = {"error": "no such array"}
        print("hello" if fault == "chatter" else json.dumps(answer), flush=True)


main(*sys.argv[1:])

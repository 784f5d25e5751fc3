"""NumPy step functions, one module a rule: `from optverify.steps import adam`.

The modules are generated from `optverify/rules/` and import NumPy alone. Each has

    init(theta) -> state                         state.t counts the updates made
    step(theta, grad, state, lr=...) -> (theta, state)   pure: the arguments stay as they are
    update(theta, grad, state, lr=...) -> state  the same, written into theta and the state's arrays
    gradient_point(theta, state) -> theta        where the rule wants its gradient (look-ahead or theta)
    equations(...)                               the recurrence itself, a line an equation

`lr` is a positive number, or a schedule: a callable that is given the number of updates made so far.
"""

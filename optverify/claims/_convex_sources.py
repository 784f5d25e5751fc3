"""The literature that the claims about convex functions cite, with the place of each statement."""

from optverify.language import Source

drori_teboulle = Source(
    "Drori and Teboulle",
    2014,
    "Performance of first-order methods for smooth convex minimization: a novel approach",
    "Theorem 3.1; Theorem 3.2 for the Huber function",
    "Mathematical Programming 145",
    arxiv="1206.3209",
)
teboulle_vaisbourd = Source(
    "Teboulle and Vaisbourd",
    2023,
    "An elementary approach to tight worst case complexity analysis of gradient based methods",
    "the gradient method, by hand",
    "Mathematical Programming 201",
    url="https://doi.org/10.1007/s10107-022-01899-0",
)
nesterov_book = Source(
    "Nesterov",
    2018,
    "Lectures on convex optimization",
    "Theorem 2.1.5, the inequalities of smooth convex functions",
    "Springer",
    url="https://doi.org/10.1007/978-3-319-91578-4",
)
nesterov_smooth = Source(
    "Nesterov",
    2018,
    "Lectures on convex optimization",
    "section 1.2, functions with a Lipschitz gradient and the gradient method",
    "Springer",
    url="https://doi.org/10.1007/978-3-319-91578-4",
)
nesterov_nonsmooth = Source(
    "Nesterov",
    2018,
    "Lectures on convex optimization",
    "section 3.2, the subgradient method and its lower bound",
    "Springer",
    url="https://doi.org/10.1007/978-3-319-91578-4",
)
polyak_book = Source(
    "Polyak",
    1987,
    "Introduction to optimization",
    "section 1.4, the gradient method",
    "Optimization Software",
)
garrigos_gower = Source(
    "Garrigos and Gower",
    2023,
    "Handbook of convergence theorems for (stochastic) gradient methods",
    "section 3, gradient descent: convex, strongly convex, Polyak-Lojasiewicz",
    arxiv="2301.11235",
)
taylor_interpolation = Source(
    "Taylor, Hendrickx and Glineur",
    2017,
    "Smooth strongly convex interpolation and exact worst-case performance of first-order methods",
    "Theorem 4, the inequalities of smooth strongly convex functions",
    "Mathematical Programming 161",
    arxiv="1502.05666",
)
pepit = Source(
    "Goujaud, Moucer, Glineur, Hendrickx, Taylor and Dieuleveut",
    2024,
    "PEPit: computer-assisted worst-case analyses of first-order optimization methods in Python",
    "the examples of unconstrained convex minimization",
    "Mathematical Programming Computation 16",
    arxiv="2201.04040",
)
karimi = Source(
    "Karimi, Nutini and Schmidt",
    2016,
    "Linear convergence of gradient and proximal-gradient methods under the Polyak-Lojasiewicz condition",
    "Theorem 1",
    "ECML PKDD",
    arxiv="1608.04636",
)
line_search = Source(
    "de Klerk, Glineur and Taylor",
    2017,
    "On the worst-case complexity of the gradient method with exact line search for smooth strongly convex"
    " functions",
    "the rate, and the quadratic that attains it",
    "Optimization Letters 11",
    arxiv="1606.09365",
)
fista = Source(
    "Beck and Teboulle",
    2009,
    "A fast iterative shrinkage-thresholding algorithm for linear inverse problems",
    "Theorem 4.4, and Lemma 4.3 for the sequence t_k",
    "SIAM Journal on Imaging Sciences 2",
    url="https://doi.org/10.1137/080716542",
)
acceleration = Source(
    "d'Aspremont, Scieur and Taylor",
    2021,
    "Acceleration methods",
    "chapter 4, Nesterov acceleration by potentials",
    "Foundations and Trends in Optimization 5",
    arxiv="2101.09545",
)
quadratic_upper = Source(
    "Goujaud, Taylor and Dieuleveut",
    2022,
    "Optimal first-order methods for convex functions with a quadratic upper bound",
    "the heavy-ball method with varying steps",
    arxiv="2205.15033",
)
ghadimi = Source(
    "Ghadimi, Feyzmahdavian and Johansson",
    2015,
    "Global convergence of the heavy-ball method for convex optimization",
    "the heavy ball with time-varying parameters",
    "European Control Conference",
    arxiv="1412.7457",
)
lessard = Source(
    "Lessard, Recht and Packard",
    2016,
    "Analysis and design of optimization algorithms via integral quadratic constraints",
    "the heavy ball on strongly convex functions",
    "SIAM Journal on Optimization 26",
    arxiv="1408.3595",
)
long_steps = Source(
    "Das Gupta, Van Parys and Ryu",
    2024,
    "Branch-and-bound performance estimation programming: a unified methodology for constructing optimal"
    " optimization methods",
    "step sizes of gradient descent that exceed 2/L",
    "Mathematical Programming 204",
    arxiv="2203.07305",
)
hedging = Source(
    "Altschuler and Parrilo",
    2023,
    "Acceleration by stepsize hedging II: silver stepsize schedule for smooth convex optimization",
    "the silver schedule",
    arxiv="2309.16530",
)
kelley = Source(
    "Drori and Teboulle",
    2016,
    "An optimal variant of Kelley's cutting-plane method",
    "the lower bound",
    "Mathematical Programming 160",
    arxiv="1409.2636",
)
zamani_glineur = Source(
    "Zamani and Glineur",
    2025,
    "Exact convergence rate of the last iterate in subgradient methods",
    "the optimal method with linearly decaying steps",
    "SIAM Journal on Optimization 35",
    arxiv="2307.11134",
)
linear_decay = Source(
    "Defazio, Cutkosky, Mehta and Mishchenko",
    2023,
    "When, why and how much? Adaptive learning rate scheduling by refinement",
    "the linear decay schedule",
    arxiv="2310.07831",
)
zinkevich = Source(
    "Zinkevich",
    2003,
    "Online convex programming and generalized infinitesimal gradient ascent",
    "Theorem 1, regret of greedy projection",
    "ICML",
)
polyak_unsmooth = Source(
    "Polyak",
    1969,
    "Minimization of unsmooth functionals",
    "the step with a known minimum",
    "USSR Computational Mathematics and Mathematical Physics 9",
    url="https://doi.org/10.1016/0041-5553(69)90061-5",
)
hazan_kakade = Source(
    "Hazan and Kakade",
    2019,
    "Revisiting the Polyak step size",
    "the distance to the minimum falls",
    arxiv="1905.00313",
)

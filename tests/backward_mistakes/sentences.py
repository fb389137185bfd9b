"""How a line that names a mistake begins, and what terms are called in it."""

DY, MEAN, PRODUCT = "gamma inv_std dy", "gamma inv_std mean(dy)", "gamma inv_std x_hat mean(dy x_hat)"


def dx(*sentences):
    return "dx: " + "; ".join(sentences)


def term(name, words):
    return dx(f"the term {name} {words}")

"""Typed questions to SMT solvers, and their answers. The only package that imports z3 and cvc5, both at first use.

An answer is what solvers said: ``solver-attested``, not a proof that can be checked without them. Both are asked, and
what they do not agree on is no answer. A model that they give is a claim like any other: whoever asks replays it.
"""

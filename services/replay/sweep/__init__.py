"""Sweep: the same replay under many parameters, on many days, on every core there is.

A trial is one set of parameters; a job is one trial on one set of data.

plan        what a person wrote, checked before anything runs
space       which parameters, and which values of them
proposing   which parameters next: a grid, or Bayesian search (Optuna)
job         one replay in a worker; only small numbers come back
journal     results as they come, known by everything that decided them
driving     the loop; the same whatever runs the jobs
cluster     what runs them: this process, or dask.distributed
result      the table, the page, the winning configuration
"""

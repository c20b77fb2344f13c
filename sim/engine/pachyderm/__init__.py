"""Repositories, controllers, jobs, workers and datum sets, as pachd runs them."""

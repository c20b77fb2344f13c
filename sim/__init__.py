"""pachsim: which workers, nodes and Fargate sizes hold a latency target for the least money."""

__version__ = "0.1.0"

__all__: list[str] = []

"""Pipes: reading them without waiting, and the child processes behind them."""

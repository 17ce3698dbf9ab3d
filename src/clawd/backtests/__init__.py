"""Backtests that run beside a server: asked for, waited for, watched, kept and compared.

What needs the engine runs in a process of its own; what is kept of it is read without the engine.
"""

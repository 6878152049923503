"""A simulated world for the agent: pages, inspectors, time and accidents, all from one seed.

``world`` lets things happen on djust's real consumer, ``views`` writes down what the views did, ``model`` says what
must have been told and compares, ``clock`` makes time and threads the same in each run, ``meter`` measures what the
agent takes of the event loop. ``python -m simulation --seeds 1000`` runs it, from ``agent/tests``.
"""

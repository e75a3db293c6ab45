"""Which bed suits whom: pure rules, judging one bed, and the best for a whole queue.

Facts (`facts`, `setting`) and the trust's rule book (`rulebook`) go in; findings, judgements and
proposals come out. Nothing here reads a clock or a database.
"""

"""The escalation level (OPEL): rule sets as dated data, and scoring by them. Pure: no Django.

NHS England, Operational Pressures Escalation Levels framework 2023/24 and Integrated OPEL framework
2024 to 2026. What of them could not be confirmed (the cut-offs of every parameter, the bands of
2024 to 2026) is no constant here: a rule set holds it, and says whether it is an example.
"""

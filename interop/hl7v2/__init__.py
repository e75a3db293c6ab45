"""HL7 v2 as a language: framing, reading, meaning and answers. Pure: no Django, no database."""

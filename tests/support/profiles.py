"""A regulation profile of a builder's own."""

HOUSE = """\
profile: house
version: "2026-12"
title: What we promise
extends: gdpr@2026-11
review_by: 2027-06-01
clocks:
  access: {answer: 14 days, article: our own rule, confidence: primary}
"""

"""deepfield takes an engineer deep into one field of machine learning, and grades what they build."""

__version__ = "0.1.0"

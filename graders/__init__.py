"""The graders of the built-in pack: suites that learners never see, and the kit that they share."""

"""What was proved, gathered for showing: each thing with the kind of evidence that it rests on, and nothing private.

No code, no path, no name of a machine or file gets in here. Notes get in only when they are asked for. The month of a
scripted learner joins here: whatever it did must be found in ``gather``'s answer.
"""

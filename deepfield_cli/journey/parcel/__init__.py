"""The whole record as one file, which anybody can prove from the file alone and grade again."""

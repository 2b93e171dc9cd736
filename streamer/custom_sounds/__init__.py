"""Recognise sounds that the user taught, from recordings and the embeddings of the released ear."""

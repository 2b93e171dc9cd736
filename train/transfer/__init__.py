"""Transfer from YAMNet: classifiers on its frozen embeddings, and fine-tuning, to compare with the released models."""

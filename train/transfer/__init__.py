"""Transfer from YAMNet: what its embeddings are worth, frozen and fine-tuned, beside the models trained here."""

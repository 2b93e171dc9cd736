"""Make examples for distillation, with the outputs of teachers or the embeddings by an exported ear."""

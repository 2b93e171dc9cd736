"""What is trained, one file each: a model, its data, its loss and its figures."""

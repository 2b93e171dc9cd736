"""Containers of plain PCM: where their sound lies, whatever their headers say about its length."""

"""Extractors of pretrained models of many layers, by Hugging Face's transformers and by timm."""

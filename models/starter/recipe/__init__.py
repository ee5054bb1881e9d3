"""How the starter language model is made: synthetic questions about text lines, fine-tuning, evaluation, export."""

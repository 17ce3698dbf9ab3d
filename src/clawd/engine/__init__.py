"""The engine: every operator as one compiled step, the fill rules, and the batch run that loops them over history."""

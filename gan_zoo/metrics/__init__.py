"""How good a model is: one short file a metric, named after it."""

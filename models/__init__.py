"""Images in, numbers out: reading, embedding, heads, metrics. Knows neither HTTP nor selection."""

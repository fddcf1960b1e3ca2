"""All that knows Label Studio, Redis or HTTP."""

"""Pod templates of operators: what may be said in one, the pod that comes of it, and the last look at that pod."""

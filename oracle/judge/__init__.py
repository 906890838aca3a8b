"""The judge: from observations to failing equations, from failing equations to causes."""

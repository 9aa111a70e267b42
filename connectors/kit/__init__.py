"""Small parts that several connectors share; each stands alone and knows no marketplace."""

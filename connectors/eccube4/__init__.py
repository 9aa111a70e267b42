"""Reads an EC-CUBE 4 shop by the GraphQL interface of its Web API plugin."""

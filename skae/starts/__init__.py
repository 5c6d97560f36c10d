"""Closed-form methods that a network starts from."""

from skae.starts._principal_components import LinearStart, PrincipalComponents

__all__ = ["LinearStart", "PrincipalComponents"]

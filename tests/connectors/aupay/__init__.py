"""au PAY Market against a pretend Wow! manager."""

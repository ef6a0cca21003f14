"""`schema`: JSON Schemas for editors, of our files and of a service's values."""

"""`diff`: what a commit does to every cluster, by rendering both sides and comparing what differs."""

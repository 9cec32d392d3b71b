"""What is downloaded: where each data set comes from, by which hashes it is known, and the folder that keeps it."""

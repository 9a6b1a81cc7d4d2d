"""The part that runs inside the user's environment.

Standard library only at module level, Python 3.8 and later, and nothing of the rest of this package:
these files are copied into one folder that any Python can start (``python -I -u RUNNER JOB``).
It never sees S3, credentials or Airflow; it reads and writes one job folder.
"""

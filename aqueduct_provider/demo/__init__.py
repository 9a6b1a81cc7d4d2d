"""A whole installation on this machine, for trying things out: an S3 server and Airflow, on 127.0.0.1 alone.

``aqueduct-airflow demo`` and ``make demo`` run it; everything is kept in one folder, which is deleted at the
end. The extra ``demo`` installs what it needs. Nothing else in this package imports from here.
"""

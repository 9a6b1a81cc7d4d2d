"""What tests of several rooms share: documents, flows, stores, faults and generated values."""

"""Files of data sets on this machine: published ones, verified, and arrays that the app writes."""

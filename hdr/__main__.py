"""`python -m hdr`: the command `hdr`, also where it is not installed."""

from hdr.cli.main import main

if __name__ == "__main__":
    main()

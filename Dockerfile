# docker compose up --build, or by hand: see docs/hosting.md.
FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# For PostgreSQL, S3 and Dask: --build-arg REQUIREMENTS=requirements/cluster.txt
ARG REQUIREMENTS=requirements/lock.txt
WORKDIR /src
RUN python -m venv /opt/hdr
# Copied before the sources, so that a change of the sources does not reinstall the dependencies.
COPY requirements.txt .
COPY requirements requirements
RUN /opt/hdr/bin/pip install -r "$REQUIREMENTS"
COPY . .
RUN /opt/hdr/bin/pip install --no-deps . && /opt/hdr/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
# A fixed user id, so that the files in a volume keep their owner.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin hdr \
    && install --directory --owner hdr --group hdr /data
COPY --from=build /opt/hdr /opt/hdr
ENV PATH=/opt/hdr/bin:$PATH \
    HDR_HOME=/data \
    HDR_PROFILE=demo \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, since Kubernetes cannot check that a user name is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"]
ENTRYPOINT ["hdr", "serve", "--server.address", "0.0.0.0", "--server.headless", "true"]

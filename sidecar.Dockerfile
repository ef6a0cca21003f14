# The sidecar of argocd-repo-server that runs cmp-plugin. docs/argocd.md says how to install it.
#
#   docker build -f sidecar.Dockerfile -t cmp-plugin .
#
# With all commands, for people and for CI; the sidecar itself needs four of them and so fewer packages:
#
#   docker build -f sidecar.Dockerfile --build-arg LOCK=run -t cmp-plugin:cli .
#
# BASE is Debian or made of it, with Python 3.11 or newer in its packages.
ARG BASE=docker.io/library/debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f

FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv
WORKDIR /src
# helm and kustomize, of the versions that cmp_plugin/tools/install.py pins, from their Go modules.
COPY scripts scripts
COPY cmp_plugin/__init__.py cmp_plugin/errors.py cmp_plugin/verbose.py cmp_plugin/
COPY cmp_plugin/specs/__init__.py cmp_plugin/specs/defaults.py cmp_plugin/specs/
COPY cmp_plugin/system cmp_plugin/system
COPY cmp_plugin/tools cmp_plugin/tools
RUN python3 scripts/set_up.py --tools /opt/tools
# Our program and its locked packages, compiled: nothing can be written at run time.
ARG LOCK=sidecar
COPY requirements/${LOCK}.txt requirements/
RUN python3 -m venv /opt/cmp-plugin \
 && /opt/cmp-plugin/bin/pip install --no-cache-dir --require-hashes -r requirements/${LOCK}.txt
COPY pyproject.toml README.md LICENSE ./
COPY cmp_plugin cmp_plugin
RUN /opt/cmp-plugin/bin/pip install --no-deps --no-build-isolation . \
 && /opt/cmp-plugin/bin/pip uninstall -y flit_core setuptools pip

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/* \
 && useradd --system --uid 999 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin argocd
COPY --from=build /opt/tools/ /usr/local/bin/
COPY --from=build /opt/cmp-plugin /opt/cmp-plugin
COPY plugin.yaml /home/argocd/cmp-server/config/plugin.yaml
# Writable are /tmp, which the Pod mounts, and the sockets' directory; nothing else has to be.
ENV PATH=/opt/cmp-plugin/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    CMP_PLUGIN_CACHE_DIR=/tmp/cache/cmp-plugin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cmp-plugin" \
      org.opencontainers.image.description="Argo CD config management plugin for fleets of clusters" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER 999
WORKDIR /tmp
# Argo CD's copyutil puts it there, into a volume that repo-server and its plugins share.
ENTRYPOINT ["/var/run/argocd/argocd-cmp-server"]

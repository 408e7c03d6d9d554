# An image of SAC with its console, PostgreSQL and the executor for Kubernetes:
#
#   docker build --tag sac:0.1.0 .
#
# BASE is any image with Python 3.11 or later and pip. A console that was built before (`make run`, web/build.py) is
# taken as it is; else it is built here, which takes npm's packages. Settings of pip come as build arguments, which stay
# out of the image; wheels in `dist/wheels` go before those of an index.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_NO_INDEX
WORKDIR /src
COPY . .
RUN python3 -m venv --without-pip /opt/sac \
 && python3 -m pip --python /opt/sac/bin/python install --no-cache-dir --no-compile --find-links dist/wheels \
    ".[cli,postgres]" ./plugins/executors/kubernetes \
 && /opt/sac/bin/python -m compileall -q -j 0 /opt/sac/lib

FROM ${BASE}
COPY --from=build /opt/sac /opt/sac
ENV PATH=/opt/sac/bin:$PATH HOME=/var/lib/sac SAC_DATA_DIR=/var/lib/sac/data PYTHONDONTWRITEBYTECODE=1
# any other one will do: nothing in the image is written
USER 10001:10001
EXPOSE 8765
ENTRYPOINT ["sac"]
CMD ["up"]

# One image for every part: worker, beat and console differ by command only (docker-compose.yml).
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/okaeri \
 && /opt/okaeri/bin/pip install --no-cache-dir '.[postgres]' --constraint requirements/constraints.txt

FROM python:3.13-slim-trixie
# pg_dump, not older than the server: no migration without a backup.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --uid 10001 okaeri \
 && install -d -o okaeri -g okaeri -m 700 /data \
 && install -d /config
COPY --from=build /opt/okaeri /opt/okaeri
ENV PATH=/opt/okaeri/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OKAERI_DATA=/data \
    OKAERI_CONFIG=/config
USER okaeri
VOLUME /data
EXPOSE 8787
ENTRYPOINT ["okaeri"]
CMD ["--help"]

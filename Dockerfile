# Two stages: the first builds wheels, the second has no compiler and runs as an unprivileged user.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot ./bot
COPY commands ./commands
RUN python -m venv /opt/understudy && /opt/understudy/bin/pip install --no-cache-dir --constraint constraints.txt .[bedrock,calendars,notify,postgres]

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --create-home --home-dir /var/lib/understudy understudy \
    && install -d -o understudy -g understudy -m 0700 /var/lib/understudy/data
COPY --from=build /opt/understudy /opt/understudy
ENV PATH=/opt/understudy/bin:$PATH HOME=/var/lib/understudy PYTHONUNBUFFERED=1
# So that every command finds them: docker exec understudy understudy export INC-1
ENV UNDERSTUDY_CONFIG=/etc/understudy/understudy.yaml UNDERSTUDY_DATA=/var/lib/understudy/data
USER 10001
WORKDIR /var/lib/understudy
VOLUME /var/lib/understudy/data
EXPOSE 8080
# Asked without a proxy: Docker passes on those of the host, and none of them can reach this container's loopback.
# Inside a container the server must listen on all addresses; flags are read with a read token (see README, "Docker").
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["understudy"]
CMD ["run", "--listen", "0.0.0.0:8080"]

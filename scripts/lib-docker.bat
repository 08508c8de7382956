@echo off
rem What the docker scripts share, for Windows: call "lib-docker.bat" :LABEL. The same as docker-lib.sh.
call %*
if errorlevel 1 exit /b 1
exit /b 0

:defaults
set "ALL_IMAGES=identity ai-orchestrator chatbot crm analytics bizosaas"
if "%STATIC_IMAGE%"=="" set "STATIC_IMAGE=gcr.io/distroless/static-debian12:nonroot"
if "%RUST_IMAGE%"=="" set "RUST_IMAGE=rust:1-bookworm"
if "%POSTGRES_IMAGE%"=="" set "POSTGRES_IMAGE=pgvector/pgvector:pg17"
set "DOCKER_BUILDKIT=1"
set "COMPOSE=docker compose"
if not "%DOCKER_COMPOSE%"=="" set "COMPOSE=%DOCKER_COMPOSE%"
exit /b 0

rem VERSION: the one in Cargo.toml, which is the images' default tag
:version
set "VERSION="
"%FIND%" "version = " <"%REPO%\Cargo.toml" >"%SCRATCH%\answer"
for /f "usebackq tokens=1,3" %%A in ("%SCRATCH%\answer") do call :is_version %%A %%B
if not "%VERSION%"=="" exit /b 0
echo error: Cargo.toml names no version: give --tag 1>&2
exit /b 1

:is_version
if not "%VERSION%"=="" exit /b 0
if "%~1"=="version" set "VERSION=%~2"
exit /b 0

rem setting NAME: VALUE of a variable of compose.yaml, from the environment, else from .env
:setting
set "VALUE="
call set "VALUE=%%%~1%%"
if "%VALUE%"=="%%%~1%%" set "VALUE="
if not "%VALUE%"=="" exit /b 0
if not exist "%REPO%\.env" exit /b 0
"%FIND%" "%~1=" <"%REPO%\.env" >"%SCRATCH%\answer"
for /f "usebackq tokens=1,* delims==" %%A in ("%SCRATCH%\answer") do if "%%A"=="%~1" set "VALUE=%%B"
exit /b 0

:need_engine
call "%~dp0lib-deploy.bat" :need docker https://docs.docker.com/desktop/
if errorlevel 1 exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
call docker info >nul 2>nul
if not errorlevel 1 exit /b 0
echo error: the Docker engine does not answer: start Docker Desktop 1>&2
exit /b 1

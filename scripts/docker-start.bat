@echo off
rem The platform in containers on this machine. See --help. The same as docker-start.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-docker.bat" :defaults
set "REUSE=no"
set "OLLAMA=no"
set "BUILD=yes"
set "TAG="
set "TIMEOUT=180"
set "SECRETS=%REPO%\docker\secrets"
if not "%BIZOSAAS_SECRETS_DIR%"=="" set "SECRETS=%BIZOSAAS_SECRETS_DIR%"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--reuse" goto flag_reuse
if "%~1"=="--ollama" goto flag_ollama
if "%~1"=="--no-build" goto flag_build
if "%~1"=="--dry-run" goto flag_dry_run
if "%~1"=="--tag" goto take_tag
if "%~1"=="--timeout" goto take_timeout
echo error: unknown option %~1, see --help 1>&2
exit /b 1

:flag_reuse
set "REUSE=yes"
shift
goto arguments

:flag_ollama
set "OLLAMA=yes"
shift
goto arguments

:flag_build
set "BUILD=no"
shift
goto arguments

:flag_dry_run
set "DRY_RUN=yes"
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 1
set "TAG=%~2"
shift
shift
goto arguments

:take_timeout
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 1
set "TIMEOUT=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\docker-start.bat [OPTION]
echo.
echo Makes the secrets (once, in docker/secrets/), starts compose.yaml and waits until everything is healthy. Images that are
echo missing are built or pulled. Safe to repeat: what runs and did not change is kept.
echo.
echo   --reuse            your Postgres and Redis instead of the bundled ones (POSTGRES_HOST, CACHE_HOST in .env)
echo   --ollama           also a local language model server
echo   --tag TAG          the images' tag (default: the version in Cargo.toml)
echo   --no-build         never build or pull: the images must be there
echo   --timeout SECONDS  longest wait for health (default 180)
echo   --dry-run          say what would run
echo   --help
echo.
echo Settings are in .env (copy docker/env.example). Exit code 0 when all services are healthy.
exit /b 0

:checked
pushd "%REPO%"
call "%LIB%" :make_scratch
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
popd
exit /b 0

:ended_badly
call "%LIB%" :clean_up
popd
exit /b 1

:main
call "%~dp0lib-docker.bat" :version
if errorlevel 1 exit /b 1
call "%~dp0lib-docker.bat" :need_engine
if errorlevel 1 exit /b 1
call :make_secrets
if errorlevel 1 exit /b 1
call "%~dp0lib-docker.bat" :setting BIZOSAAS_TAG
if "%TAG%"=="" set "TAG=%VALUE%"
if "%TAG%"=="" set "TAG=%VERSION%"
set "BIZOSAAS_TAG=%TAG%"
set "OPTIONS=--file compose.yaml"
if "%REUSE%"=="yes" set "OPTIONS=%OPTIONS% --file compose.reuse.yaml"
if "%OLLAMA%"=="yes" call :use_ollama
set "UP=up --detach --wait --wait-timeout %TIMEOUT% --no-build"
if "%BUILD%"=="no" set "UP=%UP% --pull never"
call "%~dp0lib-docker.bat" :setting BIZOSAAS_REGISTRY
if "%BUILD%"=="no" goto start
if "%DRY_RUN%"=="yes" goto start
if not "%VALUE%"=="" goto start
call :build_missing
if errorlevel 1 exit /b 1

:start
call "%LIB%" :change %COMPOSE% %OPTIONS% %UP%
if errorlevel 1 goto not_healthy
if "%DRY_RUN%"=="yes" exit /b 0
echo   running: scripts\health-check.bat    stop: scripts\docker-stop.bat
if "%OLLAMA%"=="yes" echo   a model: %COMPOSE% --profile ollama exec ollama ollama pull llama3.2
exit /b 0

:not_healthy
call %COMPOSE% %OPTIONS% ps --all 1>&2
echo error: not everything is healthy; look at: %COMPOSE% logs 1>&2
exit /b 1

:use_ollama
set "OPTIONS=%OPTIONS% --profile ollama"
call "%~dp0lib-docker.bat" :setting LLM_BASE_URL
set "LLM_BASE_URL=%VALUE%"
if "%VALUE%"=="" set "LLM_BASE_URL=http://ollama:11434"
exit /b 0

rem Without a registry of your own, images that are missing are built here.
:build_missing
set "MISSING="
for %%N in (%ALL_IMAGES%) do call :look %%N
if "%MISSING%"=="" exit /b 0
call "%~dp0docker-build.bat" --tag %TAG%%MISSING%
if errorlevel 1 exit /b 1
exit /b 0

:look
call docker image inspect "bizosaas/%~1:%TAG%" >nul 2>nul
if errorlevel 1 set "MISSING=%MISSING% %~1"
exit /b 0

rem Each secret is made once; the directory is in your profile or where only you may write.
:make_secrets
if "%DRY_RUN%"=="yes" echo + secrets that are missing in %SECRETS%
if "%DRY_RUN%"=="yes" exit /b 0
if not exist "%SECRETS%" mkdir "%SECRETS%"
set "FROM="
set "SECRET_OUT=%SECRETS%"
if "%REUSE%"=="no" goto make_all
if exist "%SECRETS%\postgres-admin-password" goto make_all
echo error: put the password of your Postgres' administrator into %SECRETS%\postgres-admin-password 1>&2
exit /b 1

:make_all
call :make platform-secret
call :make postgres-admin-password
for %%S in (identity ai chat crm analytics) do call :make %%S-db-password
for %%S in (identity ai chat crm analytics) do call :make %%S-migrator-password
rem yours to fill in; empty is none
if not exist "%SECRETS%\cache-password" type nul >"%SECRETS%\cache-password"
if not exist "%SECRETS%\llm-api-key" type nul >"%SECRETS%\llm-api-key"
for %%F in ("%SECRETS%\cache-password") do if %%~zF GTR 0 set "CACHE_PASSWORD_FILE=/run/secrets/bizosaas/cache-password"
for %%F in ("%SECRETS%\llm-api-key") do if %%~zF GTR 0 set "LLM_API_KEY_FILE=/run/secrets/bizosaas/llm-api-key"
if exist "%SECRETS%\platform-secret" exit /b 0
echo error: PowerShell made no secrets 1>&2
exit /b 1

:make
if exist "%SECRETS%\%~1" exit /b 0
echo   making %SECRETS%\%~1
call "%~dp0lib-secret.bat" :generate %~1 yes
exit /b 0

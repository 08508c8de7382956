@echo off
rem Stops what docker-start.bat started. See --help. The same as docker-stop.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-docker.bat" :defaults
set "PURGE=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--purge" goto flag_purge
if "%~1"=="--yes" goto flag_yes
if "%~1"=="-y" goto flag_yes
if "%~1"=="--dry-run" goto flag_dry_run
echo error: unknown option %~1, see --help 1>&2
exit /b 1

:flag_purge
set "PURGE=yes"
shift
goto arguments

:flag_yes
set "YES=yes"
shift
goto arguments

:flag_dry_run
set "DRY_RUN=yes"
shift
goto arguments

:help
echo Usage: scripts\docker-stop.bat [OPTION]
echo.
echo Stops the containers and removes them; the data stays in its volumes, the secrets in docker/secrets/. Safe to repeat.
echo.
echo   --purge     also delete the volumes (all data of the bundled Postgres) and the secrets
echo   --yes       with --purge: do not ask
echo   --dry-run   say what would run
echo   --help
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
if "%PURGE%"=="yes" call "%LIB%" :confirm "Delete all data and secrets of the platform in containers?"
if errorlevel 1 exit /b 1
call "%~dp0lib-docker.bat" :need_engine
if errorlevel 1 exit /b 1
set "DOWN=--file compose.yaml --profile "*" down --remove-orphans"
if "%PURGE%"=="yes" set "DOWN=%DOWN% --volumes"
call "%LIB%" :change %COMPOSE% %DOWN%
if errorlevel 1 exit /b 1
if "%PURGE%"=="no" exit /b 0
set "SECRETS=%REPO%\docker\secrets"
if not "%BIZOSAAS_SECRETS_DIR%"=="" set "SECRETS=%BIZOSAAS_SECRETS_DIR%"
if not exist "%SECRETS%" exit /b 0
call "%LIB%" :change rmdir /s /q "%SECRETS%"
if errorlevel 1 exit /b 1
exit /b 0

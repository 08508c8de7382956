@echo off
rem Restores a backup, or proves that it can be restored. See --help. The same as restore.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-operator.bat" :defaults
set "TIMEOUT=3600"
set "IN="
set "INTO="
set "VERIFY=no"
set "COMPOSE=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--compose" goto take_compose
if "%~1"=="--verify" goto take_verify
if "%~1"=="--in" goto take_in
if "%~1"=="--into" goto take_into
call "%~dp0lib-operator.bat" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_compose
set "COMPOSE=yes"
shift
goto arguments

:take_verify
set "VERIFY=yes"
shift
goto arguments

:take_in
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "IN=%~2"
shift
shift
goto arguments

:take_into
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "INTO=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\restore.bat --in FILE (--verify ^| --into DATABASE) [OPTION]
echo.
echo Restores a file of scripts\backup.bat: `bizosaas restore`, run in the cluster or with compose. The database in use is never
echo touched: a restore goes into a database that is empty, and docs/backup-restore.md says how the services move to it.
echo.
echo   --in FILE          the backup
echo   --verify           restore into a scratch database, check roles, row-level security and counts, drop it
echo   --into DATABASE    restore into this empty database
echo   --compose          the compose stack instead of the cluster
echo   --image IMAGE      the operator's image (default: the one beside the services' images)
echo   --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
echo   --admin-user NAME  the database's administrator (default postgres)
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --timeout SECONDS  longest wait (default 3600)
echo   --dry-run          print what would be done
echo   --yes              do not ask before a restore with --into
echo   --help
exit /b 0

:checked
if "%IN%"=="" echo error: --in FILE is missing, see --help 1>&2
if "%IN%"=="" exit /b 2
if not exist "%IN%" echo error: %IN% cannot be read 1>&2
if not exist "%IN%" exit /b 1
if "%VERIFY%%INTO%"=="no" goto unclear
if "%VERIFY%%INTO%"=="yes" goto clear
if "%VERIFY%"=="yes" goto unclear
set "REST="
for /f "delims=abcdefghijklmnopqrstuvwxyz0123456789_" %%N in ("%INTO%") do set "REST=%%N"
if "%REST%"=="" goto clear
echo error: a database's name has small letters, digits and _ 1>&2
exit /b 2

:unclear
echo error: give either --verify or --into DATABASE 1>&2
exit /b 2

:clear
set "YAML=restore, --in, /backup/backup.tar, --into, %INTO%"
set "WORDS=restore --in /backup/backup.tar --into %INTO%"
if "%VERIFY%"=="yes" set "YAML=restore, --in, /backup/backup.tar, --verify"
if "%VERIFY%"=="yes" set "WORDS=restore --in /backup/backup.tar --verify"
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
if "%VERIFY%"=="no" call "%LIB%" :confirm "Restore %IN% into the database %INTO%?"
if errorlevel 1 exit /b 1
if "%COMPOSE%"=="yes" goto into_compose
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_image
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_settings
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :need_admin
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :start give "%YAML%"
if errorlevel 1 exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
call "%~dp0lib-operator.bat" :give "%IN%"
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :wait Succeeded Succeeded
if errorlevel 1 goto failed
call "%~dp0lib-operator.bat" :logs
exit /b 0

:into_compose
call "%LIB%" :need docker https://docs.docker.com/engine/install/
if errorlevel 1 exit /b 1
call "%LIB%" :make_scratch
copy "%IN%" "%SCRATCH%\backup.tar" >nul
call "%LIB%" :change docker compose --file "%REPO%\compose.yaml" run --rm --no-deps --no-TTY --env TMPDIR=/backup --volume "%SCRATCH%:/backup" migrate %WORDS%
if errorlevel 1 exit /b 1
exit /b 0

:failed
call "%~dp0lib-operator.bat" :logs 1>&2
echo error: the restore failed 1>&2
exit /b 1
